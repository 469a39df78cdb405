"""The icon in the task bar: menu, colours, notifications."""
