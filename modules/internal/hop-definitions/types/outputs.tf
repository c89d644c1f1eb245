output "transforms" {
  description = "The transforms, complete with defaults."
  value       = var.transforms
}

output "routes" {
  description = "The routes, complete with defaults."
  value       = var.routes
}
