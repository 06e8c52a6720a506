"""What is made of finished results: the crate, the timings, the reference."""
