"""The tokenizer of the HTML standard, which reports parse errors, and the insertion modes of its tree construction."""
