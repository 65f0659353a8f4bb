"""What depends on the machine: processors, threads, signals, terminals, encodings and home folders."""
