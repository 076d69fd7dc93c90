"""Text for `nft -f -`: what the kernel does for this node, in one table of its own. No I/O."""
