"""The commands of `threadhand`, a module for each group."""
