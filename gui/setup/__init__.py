"""The screens that connect a station: service address, picture source."""
