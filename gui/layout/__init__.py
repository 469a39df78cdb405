"""The screen where ROIs are drawn on a whole camera picture."""
