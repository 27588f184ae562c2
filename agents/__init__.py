"""Agents: stages of one measured loop, run over the warehouse."""
