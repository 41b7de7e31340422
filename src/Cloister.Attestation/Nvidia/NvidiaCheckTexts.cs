using System.Diagnostics;

namespace Cloister.Attestation;

/// <summary>Each check in a person's words.</summary>
internal static class NvidiaCheckTexts
{
    private const string Operator = "The operator can mend it by collecting the evidence again on the machine.";
    private const string OperatorFetches = "The operator can mend it by handing over what NVIDIA publishes now.";
    private const string Nobody = "Nobody should mend it: do not use this machine until the operator has explained it.";
    private const string Policy = "Whoever keeps the policy can change it, after reading what NVIDIA says of that version.";
    private const string Updates = "The operator can mend it by updating the machine.";

    public static CheckText Of(NvidiaCheck check) => check switch
    {
        NvidiaCheck.GpuCount => new("there is evidence of exactly as many GPUs as the policy says", "Another number of GPUs answered than there should be, so the model may run on one that nobody looked at.", Operator),
        NvidiaCheck.SwitchCount => new("there is evidence of exactly as many switches as the policy says", "Another number of switches answered than there should be, so data may cross one that nobody looked at.", Operator),
        NvidiaCheck.ReportForm => new("each device's report is a well-formed SPDM exchange", "A device's report cannot be read, so nothing is known of it.", Operator),
        NvidiaCheck.ReportFields => new("each report names the versions and the board", "A device does not say which software and board it is, so it cannot be compared with anything.", Operator),
        NvidiaCheck.DeviceChainForm => new("each device's certificates form a chain for a device of NVIDIA", "A device does not show a proper chain of certificates, so it may be anything.", Operator),
        NvidiaCheck.DeviceRoot => new("each device's chain ends in a root that the policy pins", "The device is not vouched for by NVIDIA.", Nobody),
        NvidiaCheck.DeviceChain => new("each certificate of a device is signed by the next", "A device's certificate was made by somebody else than it says.", Nobody),
        NvidiaCheck.DeviceValidity => new("all certificates of the devices are valid now", "A device's certificate is not valid at this time.", "Check this device's clock first; otherwise the operator must replace the GPU."),
        NvidiaCheck.DeviceRevocationKnown => new("there is a genuine answer about the revocation of each certificate of a device", "It is not known whether NVIDIA has withdrawn a device's certificate.", OperatorFetches),
        NvidiaCheck.DeviceRevocationAge => new("the answers about devices' certificates are recent enough", "What is known of a device's revocation is too old.", OperatorFetches),
        NvidiaCheck.DeviceRevocation => new("no certificate of a device is revoked", "NVIDIA has withdrawn a certificate of this device: its key may be in other hands.", Nobody),
        NvidiaCheck.ReportSignature => new("each report is signed by its device's key", "A report was changed or was never made by the device.", Nobody),
        NvidiaCheck.Nonce => new("each device was asked with the nonce that belongs to this enclave", "A report is not about this enclave and this moment: it may be an old one or another machine's.", Operator),
        NvidiaCheck.FirmwareId => new("the firmware that a report names is the one that the device's certificate names", "The firmware that signed the report is not the one that the device started.", Nobody),
        NvidiaCheck.Distinct => new("no device answers twice", "One device was shown as several, so another one was hidden.", Nobody),
        NvidiaCheck.ManifestForm => new("the manifests are in the form that is accepted", "The list of good measurements cannot be read.", OperatorFetches),
        NvidiaCheck.ManifestChainForm => new("each manifest's certificates form a chain", "A manifest does not show a proper chain of certificates.", OperatorFetches),
        NvidiaCheck.ManifestRoot => new("each manifest's chain ends in a root that the policy pins", "The list of good measurements is not NVIDIA's.", Nobody),
        NvidiaCheck.ManifestChain => new("each certificate of a manifest is signed by the next", "A manifest's certificate was made by somebody else than it says.", Nobody),
        NvidiaCheck.ManifestValidity => new("all certificates of the manifests are valid now, and the manifests by their own dates", "The list of good measurements has expired.", OperatorFetches),
        NvidiaCheck.ManifestRevocationKnown => new("there is a genuine answer about the revocation of each certificate of a manifest", "It is not known whether NVIDIA has withdrawn this list of good measurements.", OperatorFetches),
        NvidiaCheck.ManifestRevocationAge => new("the answers about manifests' certificates are recent enough", "What is known of the manifest's revocation is too old.", OperatorFetches),
        NvidiaCheck.ManifestRevocation => new("no certificate of a manifest is revoked", "NVIDIA has withdrawn this list of good measurements, as it does for software with known holes.", Updates),
        NvidiaCheck.ManifestSignature => new("each manifest is signed, and unchanged", "The list of good measurements was changed after NVIDIA signed it.", Nobody),
        NvidiaCheck.DriverManifest => new("there is a manifest for each GPU's driver", "There is nothing to compare the GPU's driver with.", OperatorFetches),
        NvidiaCheck.VbiosManifest => new("there is a manifest for each device's VBIOS", "There is nothing to compare the device's firmware with.", OperatorFetches),
        NvidiaCheck.ManifestConflict => new("no measurement is in both the driver's and the VBIOS's manifest", "Two manifests contradict each other, so it is open which counts.", OperatorFetches),
        NvidiaCheck.Measurements => new("every measurement is one that the manifests list", "A device runs other firmware, or is set in another way, than NVIDIA vouches for; it may be in debug mode.", Updates),
        NvidiaCheck.Mode => new("each GPU is in a mode that the policy accepts", "A GPU is not protected in the way that the policy demands.", "The operator can mend it by setting the GPU's confidential computing mode."),
        NvidiaCheck.SameDriver => new("all GPUs run one version of the driver", "The GPUs do not run the same driver, which one machine cannot do.", Nobody),
        NvidiaCheck.GpuTopology => new("each GPU is connected to the verified switches and to no other", "Plaintext between GPUs may cross a switch that nobody looked at.", Nobody),
        NvidiaCheck.SwitchTopology => new("each switch is connected to the same GPUs, as many as are verified", "A switch is connected to a GPU of somebody else.", Nobody),
        NvidiaCheck.DriverFloor => new("no driver is older than the policy's oldest", "A GPU's driver is older than the policy allows, and may have known holes.", Updates),
        NvidiaCheck.VbiosFloor => new("no VBIOS is older than the policy's oldest", "A device's firmware is older than the policy allows, and may have known holes.", Updates),
        NvidiaCheck.ExpectedDriver => new("each driver is one that the policy lists", "A GPU's driver is not one that was agreed on.", Policy),
        NvidiaCheck.ExpectedVbios => new("each VBIOS is one that the policy lists", "A device's firmware is not one that was agreed on.", Policy),
        NvidiaCheck.ExpectedManifests => new("each device's manifests are ones that the policy lists", "A device belongs to manifests that were not agreed on.", Policy),
        _ => throw new UnreachableException(),
    };
}
