# Generated from modules/internal/interfaces/existing_queue.tf by scripts/module_interfaces.py: edit that.

variable "existing_queue" {
  description = <<-EOT
    A queue to consume in place of one of the module's own. It may be another account's. Its policy, redrive policy and visibility
    timeout stay its owner's.
      arn       = of the queue, in the provider's region
      url       = of the queue
      kms_key   = customer managed key (`arn`) that the queue is encrypted with, which the function may then use to decrypt
      age_alarm = whether to watch the age of its messages; false for another account's queue, whose metrics are not in this account
  EOT
  type = object({
    arn = string
    url = string
    kms_key = optional(object({
      arn = string
    }))
    age_alarm = optional(bool, true)
  })
  default = null

  validation {
    condition     = var.existing_queue == null ? true : can(regex("^arn:[a-z-]+:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(\\.fifo)?$", var.existing_queue.arn))
    error_message = "existing_queue.arn must be the ARN of a queue: arn:aws:sqs:<region>:<account>:<name>."
  }

  validation {
    condition     = var.existing_queue == null ? true : can(regex("^https?://", var.existing_queue.url)) && endswith(var.existing_queue.url, "/${element(split(":", var.existing_queue.arn), 5)}")
    error_message = "existing_queue.url must be the URL of the same queue as existing_queue.arn: it ends with /<name of the queue>."
  }

  validation {
    condition     = var.existing_queue == null ? true : endswith(var.existing_queue.arn, ".fifo") == var.fifo
    error_message = "fifo must be what the existing queue is: true if its name ends with .fifo, else false."
  }

  validation {
    condition     = var.existing_queue == null || length(var.senders) == 0
    error_message = "An existing queue's policy is its owner's: senders is for a queue that the module makes. Let the owner name who may send."
  }

  validation {
    condition     = var.existing_queue == null || !(var.queue.content_based_deduplication || var.queue.high_throughput)
    error_message = "An existing queue's settings are its owner's: queue.content_based_deduplication and queue.high_throughput are for a FIFO queue that the module makes."
  }
}
