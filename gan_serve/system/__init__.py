"""The operating system: processors, threads, signals, encodings and home folders."""
