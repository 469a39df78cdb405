"""ROIs of a role in the whole camera picture: edited and checked."""
