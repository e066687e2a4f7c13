"""What containers need beyond the services: their secrets, made once per installation."""
