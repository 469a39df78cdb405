"""Archived pictures: written through a bounded queue, removed by the rules of retention."""
