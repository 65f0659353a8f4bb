"""What depends on the machine: processors, threads, signals, encodings and home folders."""
