# SPDX-License-Identifier: Apache-2.0
"""An auditor's check of the ledger.  It shares no code with the service that wrote it."""
