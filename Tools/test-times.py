#!/usr/bin/env python3
"""Prints the suites of a test run by the seconds that their tests took together.

    Tools/test-times.py TESTS.xml [COUNT]
"""
import collections, sys
import xml.etree.ElementTree

seconds, counts = collections.Counter(), collections.Counter()
for case in xml.etree.ElementTree.parse(sys.argv[1]).iter("testcase"):
    seconds[case.get("classname")] += float(case.get("time"))
    counts[case.get("classname")] += 1
for suite, time in seconds.most_common(int(sys.argv[2]) if len(sys.argv) > 2 else 25):
    print(f"{time:8.1f} s  {counts[suite]:4} tests  {suite}")
