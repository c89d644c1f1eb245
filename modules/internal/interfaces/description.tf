variable "description" {
  description = "Purpose of the function, as the console shows it."
  type        = string
  default     = ""
  nullable    = false
}
