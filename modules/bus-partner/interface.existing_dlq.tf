# Generated from modules/internal/interfaces/existing_dlq.tf by scripts/module_interfaces.py: edit that.

variable "existing_dlq" {
  description = <<-EOT
    A dead-letter queue in place of one that the module makes, for nothing else than this hop: `dlq-review` reads it. Its settings stay its owner's:
    14 days of retention, a visibility timeout of six times that of its reader (60 seconds in `dlq-review`), and the
    policy, which needs the statements of the output `existing_dlq_policies`.
      arn     = of the queue, in the provider's region, and FIFO if the hop's own queue is
      url     = of the queue
      kms_key = customer managed key (`arn`) that the queue is encrypted with, other than `settings.kms_key`
  EOT
  type = object({
    arn = string
    url = string
    kms_key = optional(object({
      arn = string
    }))
  })
  default = null

  validation {
    condition     = var.existing_dlq == null ? true : can(regex("^arn:[a-z-]+:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(\\.fifo)?$", var.existing_dlq.arn)) && can(regex("^https?://", var.existing_dlq.url)) && endswith(var.existing_dlq.url, "/${element(split(":", var.existing_dlq.arn), 5)}")
    error_message = "existing_dlq has the ARN of a queue, arn:aws:sqs:<region>:<account>:<name>, and the URL of the same queue, which ends with /<name>."
  }
}
