"""Static files: names, media types, validators, conditions and ranges. No I/O."""
