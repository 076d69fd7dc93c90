"""Request bodies to arguments, files and the errors met on the way. Nothing here does I/O."""
