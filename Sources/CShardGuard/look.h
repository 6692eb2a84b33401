// Reading of a file as the readers of shards read it.
#pragma once

// Reads what readers of shards would; what fails is passed over, for they will tell it better.
void look_at_file(const char *path);
