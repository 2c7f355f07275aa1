"""The command `freeconv`: spectra of a network from its options or from a file, as a report, numbers or a figure."""
