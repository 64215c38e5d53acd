"""What third parties may add, as frozen values, and the registry that holds what a run found of it."""
