"""The JSON endpoints, a module for each subject."""

from services.scheduling.api import erasures, hosts, interviews, people, requests, studies

routers = (studies.router, hosts.router, requests.router, interviews.router, people.router, erasures.router)
