"""Operations that a command runs, and that others resume, take over or cancel: their rows and their audit."""
