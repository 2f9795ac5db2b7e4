// SPDX-License-Identifier: GPL-2.0 OR Apache-2.0 OR MIT

//! The device's error numbers: category and id in one 32-bit value, as REST clients see them.

use core::fmt;

/// Position of the category in the value.
const CATEGORY_SHIFT: u32 = 20;

/// The bits of the id in the value.
const ID_MASK: u32 = (1 << CATEGORY_SHIFT) - 1;

/// An error number of the device, `category << 20 | id`; category 0 is a plain Linux error number.
///
/// The constants are the published codes of the parts that this system has: application manager,
/// manifest, app life cycle, mounts, peripherals, permissions, image update, REST and logging.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceError(u32);

impl DeviceError {
    /// From category (12 bits) and id (20 bits); higher bits of either are dropped.
    #[must_use]
    pub const fn new(category: u32, id: u32) -> Self {
        Self((category << CATEGORY_SHIFT) + (id & ID_MASK))
    }

    /// From the value on the wire.
    #[must_use]
    pub const fn from_value(value: u32) -> Self {
        Self(value)
    }

    /// The value on the wire: `{"error": <value>}`.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// The category: the part of the system that reports the error.
    #[must_use]
    pub const fn category(self) -> u32 {
        self.0 >> CATEGORY_SHIFT
    }

    /// The error within its category.
    #[must_use]
    pub const fn id(self) -> u32 {
        self.0 & ID_MASK
    }
}

impl fmt::Display for DeviceError {
    /// `2.36 (2097188)`
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{} ({})", self.category(), self.id(), self.0)
    }
}

impl fmt::Debug for DeviceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)?;
        match self.name() {
            Some(name) => write!(formatter, " {name}"),
            None => Ok(()),
        }
    }
}

/// Defines one constant per published code, and their names, from one list.
macro_rules! published_codes {
    ($($category:literal $title:ident: $($constant:ident = $id:literal $name:ident,)*)*) => {
        impl DeviceError {
            $($(
                #[doc = concat!("`", stringify!($category), ".", stringify!($id), "` ", stringify!($title), "::", stringify!($name), ".")]
                pub const $constant: Self = Self::new($category, $id);
            )*)*

            /// The published name of the error within its category, such as `GpioParseError`.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $($(Self::$constant => Some(stringify!($name)),)*)*
                    _ => None,
                }
            }

            /// The published name of the category, such as `AppManifestError`.
            #[must_use]
            pub const fn category_name(self) -> Option<&'static str> {
                match self.category() {
                    $($category => Some(stringify!($title)),)*
                    _ => None,
                }
            }
        }
    };
}

published_codes! {
    1 AppManagerError:
        APP_MANAGER_INVALID_STATE = 1 InvalidState,
        APP_MANAGER_CUSTOMER_MANIFEST_HAS_POLICY = 2 CustomerManifestHasPolicy,
        APP_MANAGER_CUSTOMER_REQUESTED_ILLEGAL_CAPABILITY = 3 CustomerRequestedIllegalCapability,
        APP_MANAGER_NO_APP_WITH_MATCHING_ID = 4 NoAppWithMatchingId,
        APP_MANAGER_DEBUGGER_ALREADY_LOADED = 5 DebuggerAlreadyLoaded,
        APP_MANAGER_BAD_USER_ID = 6 BadUserId,
        APP_MANAGER_APP_SPECIFIC_INITIALIZATION_FAILED = 7 AppSpecificInitializationFailed,
        APP_MANAGER_NO_PERIPHERALS_FOR_CAPABILITY = 8 NoPeripheralsForCapability,
        APP_MANAGER_NO_GPIOS_FOR_CAPABILITY = 9 NoGpiosForCapability,
        APP_MANAGER_NOT_ALLOWED_TO_TALK_TO_APPMAN = 10 NotAllowedToTalkToAppman,
        APP_MANAGER_UNKNOWN_COMMUNICATION = 11 UnknownCommunication,
        APP_MANAGER_FAILED_TO_KILL_APPLICATION = 12 FailedToKillApplication,
        APP_MANAGER_APPLICATION_IN_WRONG_STATE = 13 ApplicationInWrongState,
        APP_MANAGER_BAD_APPLICATION_INFO = 14 BadApplicationInfo,
        APP_MANAGER_FAILED_TO_EXEC_PROCESS = 15 FailedToExecProcess,
        APP_MANAGER_FAILED_TO_GET_AZSPHERE_SERVICE_INFO = 16 FailedToGetAzsphereSvcInfo,
        APP_MANAGER_FAILED_TO_WRITE_TO_IPC = 17 FailedToWriteToIPC,
        APP_MANAGER_ILLEGAL_REQUEST = 18 IllegalRequest,
        APP_MANAGER_BAD_REQUEST_FORMAT = 19 BadRequestFormat,
        APP_MANAGER_DEVICE_NOT_DEV_UNLOCKED = 20 DeviceNotDevUnlocked,
        APP_MANAGER_DEVICE_FAILED_TO_REBOOT = 21 DeviceFailedToReboot,
        APP_MANAGER_FAILED_TO_ACQUIRE_MUTABLE_STORAGE_CAPABILITY = 22 FailedToAcquireMutableStorageCapability,
        APP_MANAGER_COULD_NOT_RELEASE_MUTABLE_STORAGE_CAPABILITY = 23 CouldNotReleaseMutableStorageCapability,
        APP_MANAGER_ILLEGAL_CAPABILITY_IN_MANIFEST = 24 IllegalCapabilityInManifest,
        APP_MANAGER_REQUESTED_PINS_ALREADY_USED = 25 RequestedPinsAlreadyUsed,
        APP_MANAGER_COULD_NOT_RESET_STORAGE_QUOTA_FOR_UNINSTALLED_APPS = 26 CouldNotResetStorageQuotaForUninstalledApps,
        APP_MANAGER_COULD_NOT_REMOVE_UID_ENTRIES_FOR_UNINSTALLED_APPS = 27 CouldNotRemoveUIDEntriesForUninstalledApps,
        APP_MANAGER_FAILED_TO_FORK_PROCESS = 28 FailedToForkProcess,
        APP_MANAGER_FAILED_TO_OPEN_PIPE_FOR_STATUS = 29 FailedToOpenPipeForStatus,
        APP_MANAGER_INVALID_APPLICATION_TARGET = 30 InvalidApplicationTarget,
        APP_MANAGER_NO_CORE_AVAILABLE = 31 NoCoreAvailable,
        APP_MANAGER_PIN_GPIO_TRANSLATION_FAILED = 32 PinGpioTranslationFailed,
        APP_MANAGER_DEVICE_FAILED_TO_POWER_DOWN = 33 DeviceFailedToPowerDown,

    2 AppManifestError:
        MANIFEST_INVALID_JSON = 1 InvalidJson,
        MANIFEST_ERROR_READING_FILE = 2 ErrorReadingFile,
        MANIFEST_MISSING_ENTRY_POINT = 3 MissingEntryPoint,
        MANIFEST_MISSING_SCHEMA_VERSION = 4 MissingSchemaVersion,
        MANIFEST_CMD_ARG_PARSE_ERROR = 5 CmdArgParseError,
        MANIFEST_MISSING_CAPABILITIES_LIST = 6 MissingCapabilitiesList,
        MANIFEST_TOGGLE_STATE_PARSE_ERROR = 7 ToggleStateParseError,
        MANIFEST_DEBUG_PARSE_ERROR = 8 DebugParseError,
        MANIFEST_CONNECTIONS_PARSE_ERROR = 9 ConnectionsParseError,
        MANIFEST_GPIO_PARSE_ERROR = 10 GpioParseError,
        MANIFEST_NETWORK_CONFIG_PARSE_ERROR = 11 NetworkConfigParseError,
        MANIFEST_PERIPHERAL_PARSE_ERROR = 13 PeripheralParseError,
        MANIFEST_UPDATE_PARSE_ERROR = 14 UpdateParseError,
        MANIFEST_WIFI_PARSE_ERROR = 15 WifiParseError,
        MANIFEST_BAD_ENTRY_POINT = 16 BadEntryPoint,
        MANIFEST_INCOMPATIBLE_SCHEMA_VERSION = 17 IncompatibleSchemaVersion,
        MANIFEST_UART_NOT_AVAILABLE = 18 UartNotAvailable,
        MANIFEST_UNINSTALL_ERROR = 19 UninstallError,
        MANIFEST_ERROR_PARSING_POLICY_GROUPS = 20 ErrorParsingPolicyGroups,
        MANIFEST_ERROR_PARSING_POLICY_CAPABILITIES = 21 ErrorParsingPolicyCapabilities,
        MANIFEST_SPECIFIED_ENTRY_POINT_DOES_NOT_EXIST = 22 SpecifiedEntryPointDoesNotExist,
        MANIFEST_SPECIFIED_ENTRY_POINT_IS_NOT_A_FILE = 23 SpecifiedEntryPointIsNotAFile,
        MANIFEST_DEVICE_AUTH_TENANT_ID_PARSE_ERROR = 24 DeviceAuthTenantIdParseError,
        MANIFEST_NO_APP_MANIFEST = 25 NoAppManifest,
        MANIFEST_BAD_APP_TYPE = 26 BadAppType,
        MANIFEST_NON_STRING_APP_TYPE = 27 NonStringAppType,
        MANIFEST_INVALID_TENANT_ID = 28 InvalidTenantId,
        MANIFEST_DEVICE_AUTH_TENANT_ID_TOO_LONG = 29 DeviceAuthTenantIdTooLong,
        MANIFEST_SYSTEM_TIME_PARSE_ERROR = 30 SystemTimeParseError,
        MANIFEST_NON_OBJECT_MUTABLE_STORAGE_TYPE = 31 NonObjectMutableStorageType,
        MANIFEST_MUTABLE_STORAGE_MISSING_REQUIRED_FIELD = 32 MutableStorageMissingRequiredField,
        MANIFEST_ERROR_PARSING_MUTABLE_STORAGE_FIELD = 33 ErrorParsingMutableStorageField,
        MANIFEST_MUTABLE_STORAGE_REQUEST_TOO_LARGE = 34 MutableStorageRequestTooLarge,
        MANIFEST_REQUESTED_PERIPHERALS_REQUIRE_SAME_PIN = 35 RequestedPeripheralsRequireSamePin,
        MANIFEST_ALLOWED_TCP_PORTS_PARSE_ERROR = 36 AllowedTcpPortsParseError,
        MANIFEST_ALLOWED_UDP_PORTS_PARSE_ERROR = 37 AllowedUdpPortsParseError,
        MANIFEST_ILLEGAL_TCP_PORTS_VALUE = 38 IllegalTcpPortsValue,
        MANIFEST_ILLEGAL_UDP_PORTS_VALUE = 39 IllegalUdpPortsValue,
        MANIFEST_TIME_SYNC_CONFIG_PARSE_ERROR = 40 TimeSyncConfigParseError,
        MANIFEST_DHCP_SERVICE_PARSE_ERROR = 41 DhcpServiceParseError,
        MANIFEST_SNTP_SERVICE_PARSE_ERROR = 42 SntpServiceParseError,
        MANIFEST_ALLOWED_APPLICATION_CONNECTIONS_PARSE_ERROR = 43 AllowedApplicationConnectionsParseError,
        MANIFEST_CERT_STORE_PARSE_ERROR = 44 CertStoreParseError,
        MANIFEST_ENTERPRISE_WIFI_CONFIG_PARSE_ERROR = 45 EnterpriseWifiConfigParseError,
        MANIFEST_SYSTEM_EVENT_NOTIFICATIONS_PARSE_ERROR = 46 SystemEventNotificationsParseError,
        MANIFEST_SOFTWARE_UPDATE_DEFERRAL_PARSE_ERROR = 47 SoftwareUpdateDeferralParseError,
        MANIFEST_POWER_CONTROLS_MALFORMED_PARSE_ERROR = 48 PowerControlsMalformedParseError,
        MANIFEST_POWER_CONTROLS_EMPTY_PARSE_ERROR = 49 PowerControlsEmptyParseError,
        MANIFEST_POWER_CONTROLS_INVALID_ENTRY_PARSE_ERROR = 50 PowerControlsInvalidEntryParseError,
        MANIFEST_HARDWARE_ADDRESS_CONFIG_PARSE_ERROR = 51 HardwareAddressConfigParseError,
        MANIFEST_READ_NETWORK_PROXY_CONFIG_PARSE_ERROR = 56 ReadNetworkProxyConfigParseError,
        MANIFEST_RESET_MEMORY_WATERMARKS_PARSE_ERROR = 57 ResetMemoryWatermarksParseError,
        MANIFEST_HEAP_MEM_STATS_PARSE_ERROR = 58 HeapMemStatsParseError,
        MANIFEST_MALLOC_VERSION_PARSE_ERROR = 59 MallocVersionParseError,

    3 LifetimeManagerError:
        LIFETIME_APP_ALREADY_EXISTS = 1 AppAlreadyExists,
        LIFETIME_NULL_OR_INVALID_APP_FOUNDATION = 2 NullOrInvalidAppFoundation,
        LIFETIME_NULL_APP_MANIFEST = 3 NullAppManifest,
        LIFETIME_MOUNTED_IMAGE_IS_NOT_A_DIRECTORY = 4 MountedImageIsNotADirectory,
        LIFETIME_UNKNOWN_APP_REQUESTING_INSTALL = 5 UnknownAppRequestingInstall,
        LIFETIME_FAILED_TO_MAKE_IMAGE_MANAGER = 6 FailedToMakeImageManager,
        LIFETIME_REBOOT_REQUIRED = 7 RebootRequired,
        LIFETIME_FAILED_TO_UPDATE_FIREWALL_RULES = 8 FailedToUpdateFirewallRules,
        LIFETIME_FAILED_TO_UPDATE_DEVICE_AUTH_TENANT_LIST = 9 FailedToUpdateDeviceAuthTenantList,
        LIFETIME_NO_DEBUGGER_AVAILABLE = 10 NoDebuggerAvailable,
        LIFETIME_CANT_DEBUG_DEBUGGER = 11 CantDebugDebugger,
        LIFETIME_CANT_START_DEBUGGER = 12 CantStartDebugger,
        LIFETIME_CANT_STOP_DEBUGGER = 13 CantStopDebugger,
        LIFETIME_COULD_NOT_REMOUNT_DEBUGGER = 14 CouldNotRemountDebugger,
        LIFETIME_DEBUGGING_NOT_SUPPORTED = 15 DebuggingNotSupported,
        LIFETIME_COULD_NOT_DELETE_UID = 16 CouldNotDeleteUid,
        LIFETIME_COULD_NOT_INVALIDATE_IMAGE = 17 CouldNotInvalidateImage,
        LIFETIME_ERROR_DELETING_DEVICE_TENANT = 18 ErrorDeletingDeviceTenant,
        LIFETIME_ERROR_DELETING_FIREWALL_RULES = 19 ErrorDeletingFirewallRules,
        LIFETIME_DUPLICATE_TCP_UDP_PORT_DETECTED = 20 DuplicateTcpUdpPortDetected,
        LIFETIME_COULD_NOT_DELETE_APP = 21 CouldNotDeleteApp,
        LIFETIME_INCOMPATIBLE_APPLICATION_RUNTIME = 22 IncompatibleApplicationRuntime,
        LIFETIME_FAILED_TO_UPDATE_AZ_SPIO_FIREWALL_RULES = 23 FailedToUpdateAzSpioFirewallRules,
        LIFETIME_ERROR_DELETING_AZ_SPIO_FIREWALL_RULES = 24 ErrorDeletingAzSpioFirewallRules,
        LIFETIME_PERIPHERAL_MANAGER_IS_NULL = 25 PeripheralManagerIsNull,

    4 MounterError:
        MOUNTER_MNT_SYS_CALL_FAILURE = 1 MntSysCallFailure,
        MOUNTER_ALREADY_MOUNTED = 2 AlreadyMounted,
        MOUNTER_UNMOUNT_FAILED = 3 UnmountFailed,
        MOUNTER_COULD_NOT_REMOVE_MOUNT_POINT = 4 CouldNotRemoveMountPoint,
        MOUNTER_BAD_IMAGE_TYPE = 5 BadImageType,
        MOUNTER_CREATE_MOUNT_POINT_FAILED = 6 CreateMountPointFailed,
        MOUNTER_MOUNT_FAILED = 7 MountFailed,
        MOUNTER_FIND_USER_ID_FAILED = 8 FindUserIdFailed,
        MOUNTER_NO_IMAGE_FOUND_WITH_MATCHING_COMPONENT_ID = 9 NoImageFoundWithMatchingComponentId,
        MOUNTER_MOUNT_FAILED_WITH_EBUSY = 10 MountFailedWithEbusy,
        MOUNTER_UNMOUNT_FAILED_WITH_EBUSY = 11 UnmountFailedWithEbusy,
        MOUNTER_FAILED_TO_GET_SYS_USER_ID = 12 FailedToGetSysUserId,
        MOUNTER_MOUNT_CERT_STORE_FAILED = 13 MountCertStoreFailed,
        MOUNTER_CREATE_APP_MTD_DEVICE_FAILED = 14 CreateAppMTDDeviceFailed,
        MOUNTER_REMOVE_APP_MTD_DEVICE_FAILED = 15 RemoveAppMTDDeviceFailed,

    5 PeripheralError:
        PERIPHERAL_FAILED_TO_OPEN_GPIO_CHIP_FD = 1 FailedToOpenGpioChipFd,
        PERIPHERAL_FAILED_TO_GET_GPIO_CHIP_INFO = 2 FailedToGetGpioChipInfo,
        PERIPHERAL_UNDEFINED_GPIO_IN_MANIFEST = 3 UndefinedGpioInManifest,
        PERIPHERAL_REQUESTED_GPIO_ALREADY_IN_USE = 4 RequestedGpioAlreadyInUse,
        PERIPHERAL_FAILED_TO_SET_GPIO_PIN_ACCESS = 5 FailedToSetGpioPinAccess,
        PERIPHERAL_FAILED_TO_GET_SYS_USER_ID = 6 FailedToGetSysUserId,
        PERIPHERAL_UNDEFINED_PERIPHERAL_IN_MANIFEST = 7 UndefinedPeripheralInManifest,
        PERIPHERAL_REQUESTED_PERIPHERAL_ALREADY_IN_USE = 8 RequestedPeripheralAlreadyInUse,
        PERIPHERAL_FAILED_TO_CHANGE_PERIPHERAL_OWNERSHIP = 9 FailedToChangePeripheralOwnership,
        PERIPHERAL_FAILED_TO_ENABLE_PERIPHERAL = 10 FailedToEnablePeripheral,
        PERIPHERAL_FAILED_TO_DISABLE_PERIPHERAL = 11 FailedToDisablePeripheral,
        PERIPHERAL_FAILED_TO_ENABLE_PERIPHERAL_DRIVER = 12 FailedToEnablePeripheralDriver,
        PERIPHERAL_FAILED_TO_DISABLE_PERIPHERAL_DRIVER = 13 FailedToDisablePeripheralDriver,
        PERIPHERAL_UNSUPPORTED_PERIPHERAL_TYPE = 14 UnsupportedPeripheralType,
        PERIPHERAL_GPIO_BLOCK_CONFLICT = 15 GpioBlockConflict,
        PERIPHERAL_PWM_OPEN_FAILED = 16 PwmOpenFailed,
        PERIPHERAL_PWM_READ_FAILED = 17 PwmReadFailed,
        PERIPHERAL_PWM_IOCTL_FAILED = 18 PwmIoctlFailed,
        PERIPHERAL_COULD_NOT_GET_DEVICE_INFO = 19 CouldNotGetDeviceInfo,

    6 PermissionsError:
        PERMISSIONS_SET_LINUX_CAPABILITY_ERROR = 1 SetLinuxCapabilityError,
        PERMISSIONS_SET_AMBIENT_CAPABILITY_ERROR = 2 SetAmbientCapabilityError,
        PERMISSIONS_SET_UID_ERROR = 3 SetUidError,
        PERMISSIONS_SET_GID_ERROR = 4 SetGidError,
        PERMISSIONS_SET_GROUPS_ERROR = 5 SetGroupsError,
        PERMISSIONS_GET_UID_ERROR = 6 GetUidError,
        PERMISSIONS_FAILED_TO_SET_CGROUP = 7 FailedToSetCGroup,
        PERMISSIONS_GET_GROUP_ERROR = 8 GetGroupError,
        PERMISSIONS_SET_PROCESS_INFO_ERROR = 9 SetProcessInfoError,
        PERMISSIONS_ERROR_QUERYING_DISK_SPACE = 10 ErrorQueryingDiskSpace,
        PERMISSIONS_REQUESTED_SPACE_NOT_AVAILABLE = 11 RequestedSpaceNotAvailable,
        PERMISSIONS_REQUESTED_MORE_SPACE_THAN_MAX = 12 RequestedMoreSpaceThanMax,
        PERMISSIONS_COULD_NOT_ALLOCATE_STORAGE_SPACE = 13 CouldNotAllocateStorageSpace,
        PERMISSIONS_ERROR_RELEASING_STORAGE_SPACE = 14 ErrorReleasingStorageSpace,
        PERMISSIONS_COULD_NOT_CALCULATE_DISK_USE = 15 CouldNotCalculateDiskUse,
        PERMISSIONS_ERROR_SETTING_APP_PERMISSIONS = 16 ErrorSettingAppPermissions,
        PERMISSIONS_INVALID_PATH = 17 InvalidPath,
        PERMISSIONS_FAILED_TO_CHANGE_FILE_PERMISSIONS = 18 FailedToChangeFilePermissions,
        PERMISSIONS_FAILED_TO_CHANGE_FILE_OWNERSHIP = 19 FailedToChangeFileOwnership,

    7 ImageUpdateError:
        IMAGE_UPDATE_IMAGE_ALREADY_LOADED = 1 ImageAlreadyLoaded,
        IMAGE_UPDATE_FAILED_TO_FIND_FREE_SPACE = 2 FailedToFindFreeSpace,
        IMAGE_UPDATE_NOT_IMPLEMENTED = 3 NotImplemented,
        IMAGE_UPDATE_BAD_IMAGE_COUNT = 4 BadImageCount,
        IMAGE_UPDATE_BAD_REPLICA_VALUE = 5 BadReplicaValue,
        IMAGE_UPDATE_IMAGE_NOT_FOUND = 6 ImageNotFound,
        IMAGE_UPDATE_UPDATE_ALREADY_IN_PROGRESS = 7 UpdateAlreadyInProgress,
        IMAGE_UPDATE_BAD_HANDLE = 8 BadHandle,
        IMAGE_UPDATE_BAD_OFFSET_ALIGNMENT = 9 BadOffsetAlignment,
        IMAGE_UPDATE_OFFSET_OUT_OF_BOUNDS = 10 OffsetOutOfBounds,
        IMAGE_UPDATE_WRITE_FAILED = 11 WriteFailed,
        IMAGE_UPDATE_UPDATE_COMMIT_FAILED = 12 UpdateCommitFailed,
        IMAGE_UPDATE_RPC_CALL_FAILED = 13 RpcCallFailed,
        IMAGE_UPDATE_INVALID_PARAMETER = 14 InvalidParameter,
        IMAGE_UPDATE_VERIFICATION_FAILED = 15 VerificationFailed,
        IMAGE_UPDATE_DECOMPRESSION_FAILED = 16 DecompressionFailed,
        IMAGE_UPDATE_FLASH_ERASE_FAILED = 17 FlashEraseFailed,
        IMAGE_UPDATE_IMAGE_STAGING_FAILED = 18 ImageStagingFailed,
        IMAGE_UPDATE_IMAGE_EXCEEDS_COMPONENT_SIZE_LIMIT = 19 ImageExceedsComponentSizeLimit,
        IMAGE_UPDATE_IMAGE_IDENTITY_INCONSISTENCY = 20 ImageIdentityInconsistency,
        IMAGE_UPDATE_XIP_ADDRESS_FOR_IMAGE_OUT_OF_BOUNDS = 21 XIPAddressForImageOutOfBounds,
        IMAGE_UPDATE_MUST_DOWNLOAD_MISSING_IMAGES = 22 MustDownloadMissingImages,
        IMAGE_UPDATE_FAILED_TO_FIND_PARTITION_TABLE = 23 FailedToFindPartitionTable,
        IMAGE_UPDATE_IMAGE_INSTALL_FAILED = 24 ImageInstallFailed,
        IMAGE_UPDATE_VERIFICATION_TIMED_OUT = 25 VerificationTimedOut,
        IMAGE_UPDATE_MALFORMED_MANIFEST_PAYLOAD = 26 MalformedManifestPayload,
        IMAGE_UPDATE_ERASURE_CODING_FAILED = 27 ErasureCodingFailed,
        IMAGE_UPDATE_EC_REPAIR_FAILED = 28 ECRepairFailed,
        IMAGE_UPDATE_EC_UPDATE_FAILED = 29 ECUpdateFailed,
        IMAGE_UPDATE_OTA_OUT_OF_ORDER_IMAGE = 30 OTAOutOfOrderImage,
        IMAGE_UPDATE_MANIFEST_SET_HEADER_HAS_BAD_MAGIC = 31 ManifestSetHeaderHasBadMagic,
        IMAGE_UPDATE_MANIFEST_SET_HEADER_HAS_INVALID_VERSION = 32 ManifestSetHeaderHasInvalidVersion,
        IMAGE_UPDATE_MANIFEST_SET_HEADER_IS_TOO_SMALL = 33 ManifestSetHeaderIsTooSmall,
        IMAGE_UPDATE_MANIFEST_SET_HEADER_SIZE_IS_INCONSISTENT = 34 ManifestSetHeaderSizeIsInconsistent,
        IMAGE_UPDATE_MANIFEST_SET_DATA_SIZE_IS_TOO_BIG = 35 ManifestSetDataSizeIsTooBig,
        IMAGE_UPDATE_MANIFEST_SET_TOTAL_SIZE_IS_TOO_SMALL = 36 ManifestSetTotalSizeIsTooSmall,
        IMAGE_UPDATE_PERMISSION_DENIED = 37 PermissionDenied,
        IMAGE_UPDATE_NO_OTA_UPDATE_IN_PROGRESS = 38 NoOTAUpdateInProgress,
        IMAGE_UPDATE_OTA_UPDATE_IN_PROGRESS = 39 OTAUpdateInProgress,
        IMAGE_UPDATE_COULD_NOT_FIND_ABI_VERSIONS = 40 CouldNotFindABIVersions,
        IMAGE_UPDATE_INVALID_ABI_TYPE_FOUND = 41 InvalidABITypeFound,
        IMAGE_UPDATE_IMAGE_EXCEEDS_IMAGE_TYPE_SIZE_LIMIT = 42 ImageExceedsImageTypeSizeLimit,
        IMAGE_UPDATE_CANNOT_STAGE_MULTIPLE_COMPONENTS_FOR_IMAGE_TYPE = 43 CannotStageMultipleComponentsForImageType,
        IMAGE_UPDATE_MANIFEST_COUNT_IS_INCONSISTENT = 44 ManifestCountIsInconsistent,
        IMAGE_UPDATE_INVALID_RUNTIME_PARTITION = 45 InvalidRuntimePartition,
        IMAGE_UPDATE_NO_CORRUPTION_DETECTED = 46 NoCorruptionDetected,
        IMAGE_UPDATE_INVALID_COMPONENT_ID = 47 InvalidComponentId,

    10 RestError:
        REST_INVALID_JSON_REQUEST = 1 InvalidJsonRequest,
        REST_INVALID_JSON_DATA = 2 InvalidJsonData,
        REST_REQUEST_DATA_EXPECTED = 3 RequestDataExpected,
        REST_CONTENT_LENGTH_EXPECTED = 4 ContentLengthExpected,
        REST_INTERFACE_IS_BUSY = 5 InterfaceIsBusy,
        REST_INTERNAL_ERROR = 6 InternalError,
        REST_INVALID_QUERY_STRING = 7 InvalidQueryString,
        REST_OUT_OF_MEMORY = 8 OutOfMemory,
        REST_TARGETED_SCAN_NOT_A_BOOLEAN = 9 TargetedScanNotABoolean,
        REST_RELOAD_CONFIG_NOT_A_BOOLEAN = 10 ReloadConfigNotABoolean,
        REST_CA_CERT_STORE_IDENTIFIER_TOO_LONG = 11 CaCertStoreIdentifierTooLong,
        REST_CLIENT_CERT_STORE_IDENTIFIER_TOO_LONG = 12 ClientCertStoreIdentifierTooLong,
        REST_CLIENT_IDENTITY_TOO_LONG = 13 ClientIdentityTooLong,
        REST_CLIENT_PRIVATE_KEY_CERT_STORE_IDENTIFIER_TOO_LONG = 14 ClientPrivateKeyCertStoreIdentifierTooLong,
        REST_CLIENT_PRIVATE_KEY_PASSWORD_TOO_LONG = 15 ClientPrivateKeyPasswordTooLong,
        REST_CONFIG_NAME_TOO_LONG = 16 ConfigNameTooLong,
        REST_REQUEST_ENTITY_TOO_LARGE = 17 RequestEntityTooLarge,
        REST_COMMAND_AUTHORIZATION_FAILED = 18 CommandAuthorizationFailed,
        REST_ENABLED_NOT_A_BOOLEAN = 19 EnabledNotABoolean,
        REST_INVALID_NETWORK_PORT = 20 InvalidNetworkPort,
        REST_INVALID_PROXY_ADDRESS = 21 InvalidProxyAddress,
        REST_INVALID_NO_PROXY_ADDRESSES = 22 InvalidNoProxyAddresses,
        REST_INVALID_USERNAME = 23 InvalidUsername,
        REST_INVALID_PASSWORD = 24 InvalidPassword,
        REST_INVALID_AUTHENTICATION_TYPE = 25 InvalidAuthenticationType,
        REST_INVALID_PROXY_TYPE = 26 InvalidProxyType,
        REST_REQUIRED_NETWORK_PORT = 27 RequiredNetworkPort,
        REST_REQUIRED_PROXY_ADDRESS = 28 RequiredProxyAddress,
        REST_REQUIRED_AUTHENTICATION_TYPE = 29 RequiredAuthenticationType,
        REST_POWER_SAVINGS_NOT_A_BOOLEAN = 30 PowerSavingsNotABoolean,

    14 RestAppError:
        REST_APP_CANNOT_MOUNT_IMAGE = 1 CannotMountImage,
        REST_APP_CANNOT_UNMOUNT_IMAGE = 2 CannotUnmountImage,
        REST_APP_CANNOT_WRITE_IMAGE = 3 CannotWriteImage,
        REST_APP_UNKNOWN_ERROR = 4 UnknownError,
        REST_APP_CANNOT_OPEN_IMAGE = 5 CannotOpenImage,
        REST_APP_CANNOT_START_APP = 6 CannotStartApp,
        REST_APP_CANNOT_STOP_APP = 7 CannotStopApp,
        REST_APP_CANNOT_REMOVE_APP = 8 CannotRemoveApp,
        REST_APP_TRIGGER_DOES_NOT_EXIST = 9 TriggerDoesNotExist,
        REST_APP_IS_BUSY = 10 IsBusy,
        REST_APP_CANNOT_START_DEBUG = 11 CannotStartDebug,
        REST_APP_APP_NOT_PRESENT = 12 AppNotPresent,
        REST_APP_APP_STATE_UNKNOWN = 13 AppStateUnknown,
        REST_APP_CANNOT_PARSE_COMPONENT_ID = 15 CannotParseComponentId,
        REST_APP_ERROR_CREATING_APP_CONTROL = 16 ErrorCreatingAppControl,
        REST_APP_CANNOT_COMMIT_IMAGE = 17 CannotCommitImage,
        REST_APP_NOT_ENOUGH_FREE_SPACE = 18 NotEnoughFreeSpace,

    16 RestUpdateError:
        REST_UPDATE_NOT_IMPLEMENTED = 1 NotImplemented,
        REST_UPDATE_UNSUPPORTED_IMAGE_TYPE = 2 UnsupportedImageType,
        REST_UPDATE_INVALID_IMAGE = 3 InvalidImage,
        REST_UPDATE_COMPONENT_ID_EXPECTED = 4 ComponentIdExpected,
        REST_UPDATE_INCONSISTENT_COMPONENT_IMAGE_DATA = 5 InconsistentComponentImageData,
        REST_UPDATE_IMAGE_MANAGER_COMMAND_FAILED = 6 ImageManagerCommandFailed,

    17 LogManagerError:
        LOG_CANNOT_CREATE_MESSAGE = 1 CannotCreateMessage,
        LOG_CANNOT_CREATE_BINARY_ATTRIBUTE = 2 CannotCreateBinaryAttribute,
        LOG_RPC_CALL_FAILED = 3 RpcCallFailed,
        LOG_LOG_DATA_IS_TOO_BIG = 4 LogDataIsTooBig,
        LOG_INVALID_DATA = 5 InvalidData,
        LOG_RPC_NOT_INITIALIZED = 6 RpcNotInitialized,
        LOG_REQUESTED_SIZE_IS_TOO_BIG = 7 RequestedSizeIsTooBig,
        LOG_UNEXPECTED_ERROR = 8 UnexpectedError,
        LOG_OUT_OF_MEMORY = 9 OutOfMemory,
        LOG_PERMISSION_DENIED = 10 PermissionDenied,

    18 JsonError:
        JSON_INVALID_JSON_OBJECT = 1 InvalidJsonObject,

    31 IpcError:
        IPC_ACCESS_DENIED = 1 AccessDenied,
        IPC_CLIENT_CLOSED = 2 ClientClosed,
        IPC_CLIENT_ALREADY_CONNECTED = 3 ClientAlreadyConnected,

    42 ImageMetadataError:
        IMAGE_METADATA_INVALID_METADATA = 1 InvalidMetadata,
        IMAGE_METADATA_SECTION_OVERFLOWS_METADATA = 2 SectionOverflowsMetadata,
        IMAGE_METADATA_EMPTY_SECTION = 3 EmptySection,
        IMAGE_METADATA_SECTION_TOO_LARGE = 4 SectionTooLarge,
        IMAGE_METADATA_SECTION_NOT_FOUND = 5 SectionNotFound,

    44 FirewallRulesError:
        FIREWALL_ERROR_READING_RULES_FILE = 1 ErrorReadingRulesFile,
        FIREWALL_UNKNOWN_USER_ID = 2 UnknownUserId,
        FIREWALL_INVALID_FIREWALL_RULES_COUNT = 3 InvalidFirewallRulesCount,
        FIREWALL_INVALID_FIREWALL_RULES_TAG = 4 InvalidFirewallRulesTag,
}
