"""A workflow as a picture: partners, ingresses, bus, transforms, routes, destinations, and the failure path."""
