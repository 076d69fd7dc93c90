"""`make bench`: adc beside the proxies people already run, each with one worker on one core."""
