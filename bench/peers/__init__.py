"""What the functions are compared with. Each peer says what it stands for."""
