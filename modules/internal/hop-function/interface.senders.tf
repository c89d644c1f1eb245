# Generated from modules/internal/interfaces/senders.tf by scripts/module_interfaces.py: edit that.

variable "senders" {
  description = <<-EOT
    Further senders, by the Sid of the policy's statement. Roles of the module's own account need no entry: their own policies decide.
      account_ids     = accounts, all of whose roles with the permission may send
      role_arns       = roles, which is narrower
      organization_id = an AWS organisation: alone, all its accounts; with account_ids or role_arns, a further condition
  EOT
  type = map(object({
    account_ids     = optional(list(string), [])
    role_arns       = optional(list(string), [])
    organization_id = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for sid in keys(var.senders) : can(regex("^[A-Za-z0-9_-]{1,64}$", sid))])
    error_message = "The keys of senders must have 1 to 64 letters, digits, hyphens or underscores."
  }

  validation {
    condition     = alltrue([for sender in values(var.senders) : length(sender.account_ids) + length(sender.role_arns) > 0 || sender.organization_id != null])
    error_message = "Every sender needs account_ids, role_arns or organization_id: anybody in the world could send otherwise."
  }

  validation {
    condition     = alltrue(flatten([for sender in values(var.senders) : [for account in sender.account_ids : can(regex("^[0-9]{12}$", account))]]))
    error_message = "account_ids have 12 digits; write them as text, or leading zeros get lost."
  }

  validation {
    condition     = alltrue(flatten([for sender in values(var.senders) : [for arn in sender.role_arns : can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/", arn))]]))
    error_message = "role_arns must be ARNs of roles: arn:aws:iam::<account>:role/<name>."
  }

  validation {
    condition     = alltrue([for sender in values(var.senders) : sender.organization_id == null ? true : can(regex("^o-[a-z0-9]{10,32}$", sender.organization_id))])
    error_message = "organization_id looks like o-a1b2c3d4e5."
  }
}
