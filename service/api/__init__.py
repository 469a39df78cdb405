"""HTTP: the only FastAPI imports. Routes translate; the work is below."""
