output "statements" {
  description = "Statements for the key's policy, besides the usual one that leaves the account's own roles to IAM."
  value       = concat(local.service_statements, local.log_statements, local.sender_statements)
}
