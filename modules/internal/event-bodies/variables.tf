variable "bucket" {
  description = "The bucket, `{ name, arn }`; null where nothing stores or reads a body."
  type        = object({ name = string, arn = string })
  default     = null
}

variable "prefix" {
  description = "Where the bodies are. Ingresses, transforms and redrive must use the same: pointers under another prefix are not followed."
  type        = string
  default     = "bodies/events/"
  nullable    = false
}

variable "store" {
  description = "Whether the function also stores bodies."
  type        = bool
  default     = true
  nullable    = false
}
