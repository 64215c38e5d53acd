"""IEEE-754 binary32 arithmetic: kernels with a declared schedule, exact numbers, ulps, error bounds."""
