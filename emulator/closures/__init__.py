"""What closes a dear part exactly: linear equations in the sequence space, as arrays."""
