"""Programs measured in a process of their own: what the service is compared with, and parts of it taken alone."""
