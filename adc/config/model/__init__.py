"""The checked, immutable model of one configuration. Its attributes are the configuration's keys.

Durations are seconds (float), sizes bytes (int), shares fractions of 1 (float), file names absolute paths.
"""
