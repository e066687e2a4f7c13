"""What is watched: a Grafana dashboard and Prometheus alerts over the metrics that every service has."""
