"""Replays from the bus's archive: collected first, counted or delivered then."""
