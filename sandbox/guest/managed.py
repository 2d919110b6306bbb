"""What the visual browser may not do, as the policy that Chromium reads.

It opens web pages and nothing of its own machine, keeps no passwords, and speaks to nobody but the pages' sites: what
it would fetch or report for itself is off, for all that is sent is judged, and a person would be asked about it.
"""

from __future__ import annotations

POLICY: dict[str, object] = {
    "URLBlocklist": ["file://*", "chrome://*", "devtools://*", "view-source:*", "chrome-extension://*"],
    "ExtensionInstallBlocklist": ["*"],
    "PasswordManagerEnabled": False,
    "AutofillAddressEnabled": False,
    "AutofillCreditCardEnabled": False,
    "BrowserSignin": 0,
    "SyncDisabled": True,
    "MetricsReportingEnabled": False,
    "DefaultBrowserSettingEnabled": False,
    "TranslateEnabled": False,
    "DefaultNotificationsSetting": 2,
    "DefaultGeolocationSetting": 2,
    "PromptForDownloadLocation": False,
    "AlwaysOpenPdfExternally": True,
    "BuiltInDnsClientEnabled": False,
    "QuicAllowed": False,
    "ComponentUpdatesEnabled": False,
    "SafeBrowsingProtectionLevel": 0,
    "DomainReliabilityAllowed": False,
    "NetworkPredictionOptions": 2,
    "SearchSuggestEnabled": False,
    "SpellCheckServiceEnabled": False,
    "AlternateErrorPagesEnabled": False,
    "UrlKeyedAnonymizedDataCollectionEnabled": False,
    "BackgroundModeEnabled": False,
}
