// Nothing to call: linked into a command, it blocks the signals of Interruption.swift before anything else runs.
#pragma once
