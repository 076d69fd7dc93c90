"""A tokenizer of the HTML standard that reports parse errors, and the stack of open elements of its tree construction."""
