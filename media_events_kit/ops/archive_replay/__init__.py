"""Replays from the bus's archive: events are collected first, then counted or delivered."""
