variable "name" {
  description = "Name of the deployment or module that the bucket belongs to. AWS appends a unique suffix, since bucket names are global."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]*$", var.name))
    error_message = "name must have lower-case letters, digits and hyphens, and begin with a letter or digit: S3 takes nothing else in a bucket's name."
  }
}

variable "bucket_name" {
  description = "The bucket's exact name, where you must know it beforehand. Null derives one from `name`."
  type        = string
  default     = null

  validation {
    condition     = var.bucket_name == null ? true : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name must have 3 to 63 lower-case letters, digits, dots and hyphens."
  }
}

variable "body_expiration_days" {
  description = "Days after which objects under `bodies/events/` go. An event may be on its way to a hop for 52.5 days, with the longest settings (`messaging/idempotency.py`). Bodies of review items, under `bodies/review/`, don't expire: `dlq-review` deletes them with their items."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.body_expiration_days >= 53 && floor(var.body_expiration_days) == var.body_expiration_days
    error_message = "body_expiration_days must be a whole number of at least 53: an event that points at a body can wait, be redriven and wait again for 52.5 days."
  }
}

variable "noncurrent_version_expiration_days" {
  description = "Days after which replaced and deleted versions go."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.noncurrent_version_expiration_days >= 1 && floor(var.noncurrent_version_expiration_days) == var.noncurrent_version_expiration_days
    error_message = "noncurrent_version_expiration_days must be a whole number of at least 1."
  }
}

variable "force_destroy" {
  description = "Whether `terraform destroy` may delete the bucket with everything in it."
  type        = bool
  default     = false
  nullable    = false
}

variable "append_only" {
  description = "For objects that nobody may change or delete: `mode` and `days` of S3's Object Lock. A writer must send `If-None-Match: *` and a key that ends with a slash and its `aws:userid`; the bucket's policy refuses everything else, to everybody. Null: an ordinary bucket."
  type        = object({ mode = string, days = number })
  default     = null

  validation {
    condition     = var.append_only == null ? true : contains(["GOVERNANCE", "COMPLIANCE"], var.append_only.mode)
    error_message = "append_only.mode must be GOVERNANCE or COMPLIANCE."
  }

  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
  validation {
    condition     = var.append_only == null ? true : var.append_only.days >= 1 && var.append_only.days <= 36500 && floor(var.append_only.days) == var.append_only.days
    error_message = "append_only.days must be a whole number from 1 to 36500."
  }
}
