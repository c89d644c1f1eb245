# Generated from modules/internal/interfaces/archive.tf by scripts/module_interfaces.py: edit that.

variable "archive" {
  description = <<-EOT
    Archive for archive replays. Null keeps no events.
      retention_days = days that events are kept; 0 is for ever
      pattern        = EventBridge pattern of the events to keep, as JSON text; null keeps all
  EOT
  type = object({
    retention_days = optional(number, 14)
    pattern        = optional(string)
  })
  default = null

  validation {
    condition     = var.archive == null ? true : var.archive.retention_days >= 0 && floor(var.archive.retention_days) == var.archive.retention_days
    error_message = "archive.retention_days must be a whole number of days, or 0 for ever."
  }

  validation {
    condition     = try(var.archive.pattern, null) == null ? true : try(length(keys(jsondecode(var.archive.pattern))) > 0, false)
    error_message = "archive.pattern must be the JSON text of a pattern that is not empty: jsonencode({ detail-type = [\"Asset Ready\"] })."
  }

  validation {
    condition     = var.archive == null || length(var.name) <= 48
    error_message = "The archive has the name, and archives take 48 characters at most: shorten name."
  }
}
