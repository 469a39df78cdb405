"""SQLite: inspections, frames and their summaries."""
