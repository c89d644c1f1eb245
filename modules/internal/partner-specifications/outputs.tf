output "documents" {
  description = "The specifications, decoded, by partner."
  value       = local.documents

  precondition {
    condition     = length(local.problems) == 0
    error_message = join("\n", local.problems)
  }
}
