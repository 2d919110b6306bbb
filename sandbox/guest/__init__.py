"""The program inside every machine: it runs commands, opens terminals, moves files, and carries traffic to the
gate. Standard library only, any Python from 3.11; it knows nothing of what isolates it."""
