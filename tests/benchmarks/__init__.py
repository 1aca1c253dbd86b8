"""Speed and memory of the service as ratios taken in one run: against nginx and against a smaller store."""
