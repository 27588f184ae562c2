"""The one door: settings are read here, once, and what a task, a page or a command uses is opened here."""
