// SPDX-License-Identifier: Apache-2.0 OR MIT

//! Every resource: what is asked of the manager, what is answered, and what is refused.

use control::{AppControlMode, RefusalKind, Request, Trigger};
use policy::DeviceError;
use serde_json::{Value, json};

use super::{Answer, KNOWN, UNKNOWN, Written, exchange, id, request, request_with};

fn get(path: &str) -> Answer {
    exchange(Written::new(), &request("GET", path)).0
}

fn json_of(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.has("Content-Type: application/json"), "{answer:?}");
    assert!(answer.has("REST-API-Version: 4.6.0"), "{answer:?}");
    serde_json::from_str(&answer.body).unwrap()
}

/// Sends JSON and gives the answer and what the manager was asked.
fn send(method: &str, path: &str, body: &str) -> (Answer, Vec<Request>) {
    let text = request_with(method, path, "application/json", body);
    let (answer, service) = exchange(Written::new(), &text);
    (answer, service.manager().asked())
}

fn error(answer: &Answer, status: u16) -> DeviceError {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.has("REST-API-Version: 4.6.0"), "{answer:?}");
    DeviceError::from_value(answer.error())
}

#[test]
fn resources_without_component_answer_as_documented() {
    assert!(json_of(&get("/status"))["uptime"].as_u64().is_some());
    for (path, expected) in [
        ("/osversion", json!({"osversion": "0.1.0"})),
        (
            "/abi_versions",
            json!({"SecureWorldRuntime": 0, "OSRuntime": 4, "ApplicationRuntime": 16}),
        ),
        ("/device/capabilities", json!({"device_capabilities": [11]})),
        (
            "/images",
            json!({
                "has_staged_updates": true,
                "is_ota_update_in_progress": false,
                "restart_required": false,
                "components": [{
                    "uid": KNOWN,
                    "image_type": 10,
                    "is_update_staged": true,
                    "does_image_type_require_restart": false,
                    "name": "Blink",
                    "images": [
                        {"uid": UNKNOWN, "length_in_bytes": 16596,
                            "uncompressed_length_in_bytes": 16596, "replica_type": 0},
                        {"uid": UNKNOWN, "length_in_bytes": 16596,
                            "uncompressed_length_in_bytes": 16596, "replica_type": 1},
                    ],
                }],
            }),
        ),
        (
            "/stats/memory/groups/applications",
            json!({
                "memoryStats": {
                    "currentMemoryUsageInBytes": 3,
                    "userModeMemoryUsageInBytes": 1,
                    "peakUserModeMemoryUsageInBytes": 2,
                },
                "apps": [{"componentId": KNOWN, "processes": [{"pid": 77, "heapUsageByCaller": []}]}],
            }),
        ),
    ] {
        assert_eq!(json_of(&get(path)), expected, "{path}");
    }
    assert_eq!(
        json_of(&get("/nacre/device"))["layers"][0]["enforced"],
        true
    );
}

#[test]
fn uptime_grows() {
    let before = json_of(&get("/status"))["uptime"].as_u64().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(json_of(&get("/status"))["uptime"].as_u64().unwrap() > before);
}

#[test]
fn logs_are_raw() {
    let device = get("/log");
    assert_eq!((device.status, device.body.as_str()), (200, "\u{1}log"));
    assert!(device.has("Content-Type: application/octet-stream"));
    let app = get(&format!("/nacre/app/{KNOWN}/log"));
    assert_eq!((app.status, app.body.as_str()), (200, "hello\n"));
    assert!(app.has("Content-Type: text/plain; charset=utf-8"));
    let unknown = get(&format!("/nacre/app/{UNKNOWN}/log"));
    assert_eq!(error(&unknown, 404), DeviceError::REST_APP_APP_NOT_PRESENT);
}

#[test]
fn app_status_is_read_in_either_letter_case_and_names_the_core_if_there_is_one() {
    for (component, status) in [
        (
            KNOWN.to_owned(),
            json!({"state": "running", "realTimeCore": 1}),
        ),
        (
            KNOWN.to_uppercase(),
            json!({"state": "running", "realTimeCore": 1}),
        ),
        (UNKNOWN.to_owned(), json!({"state": "notPresent"})),
    ] {
        let answer = get(&format!("/app/status/{component}"));
        assert_eq!(json_of(&answer), status);
    }
}

#[test]
fn quota_and_details_know_only_apps_that_are_there() {
    let quota = get(&format!("/app/quota/{KNOWN}"));
    assert_eq!(json_of(&quota), json!({"UsageKB": 1, "LimitKB": 8}));
    let details = get(&format!("/nacre/app/{KNOWN}"));
    assert_eq!(json_of(&details)["grants"].as_array().unwrap().len(), 1);
    for path in [
        format!("/app/quota/{UNKNOWN}"),
        format!("/nacre/app/{UNKNOWN}"),
    ] {
        assert_eq!(error(&get(&path), 404).value(), 14_680_076, "{path}");
    }
}

#[test]
fn denials_are_passed_on_as_the_manager_tells_them() {
    let told = get(&format!("/nacre/app/{KNOWN}/denials"));
    assert_eq!(json_of(&told), json!({"nowNs": 9, "denials": []}));
    let unknown = get(&format!("/nacre/app/{UNKNOWN}/denials"));
    assert_eq!(error(&unknown, 404), DeviceError::REST_APP_APP_NOT_PRESENT);
}

#[test]
fn triggers_reach_the_manager() {
    for (word, trigger) in [
        ("start", Trigger::Start),
        ("stop", Trigger::Stop),
        ("startDebug", Trigger::StartDebug),
    ] {
        let body = format!("{{\"trigger\":\"{word}\"}}");
        let (answer, asked) = send("PATCH", &format!("/app/status/{KNOWN}"), &body);
        assert_eq!(json_of(&answer), json!({"state": "stopped"}));
        let component = id(KNOWN);
        assert_eq!(asked, [Request::AppControl { component, trigger }]);
    }
    let (answer, _) = send(
        "PATCH",
        &format!("/app/status/{UNKNOWN}"),
        "{\"trigger\":\"start\"}",
    );
    assert_eq!(error(&answer, 409).value(), 14_680_076);
}

#[test]
fn bodies_that_are_no_trigger_are_refused_before_the_manager_is_asked() {
    for (body, code) in [
        (
            "{\"trigger\":\"explode\"}",
            DeviceError::REST_APP_TRIGGER_DOES_NOT_EXIST,
        ),
        ("{\"trigger\":1}", DeviceError::REST_INVALID_JSON_DATA),
        ("{}", DeviceError::REST_INVALID_JSON_DATA),
        ("[]", DeviceError::REST_INVALID_JSON_DATA),
        ("{", DeviceError::REST_INVALID_JSON_REQUEST),
        ("\u{0}", DeviceError::REST_INVALID_JSON_REQUEST),
        (
            "{\"trigger\":\"start\"} x",
            DeviceError::REST_INVALID_JSON_REQUEST,
        ),
        ("", DeviceError::REST_REQUEST_DATA_EXPECTED),
    ] {
        let (answer, asked) = send("PATCH", &format!("/app/status/{KNOWN}"), body);
        assert_eq!(error(&answer, 400), code, "{body}");
        assert_eq!(asked, [], "{body}");
    }
}

#[test]
fn install_takes_both_modes_and_no_body() {
    for (body, mode) in [
        ("{\"appControlMode\":\"Auto\"}", AppControlMode::Auto),
        ("{\"appControlMode\":\"Manual\"}", AppControlMode::Manual),
        ("{}", AppControlMode::Auto),
        ("", AppControlMode::Auto),
    ] {
        let (answer, asked) = send("POST", "/update/install", body);
        assert_eq!(json_of(&answer), json!({}));
        assert_eq!(asked, [Request::Install { mode }], "{body}");
    }
    let (answer, service) = exchange(Written::new(), &request("POST", "/update/install"));
    assert_eq!((answer.status, service.manager().asked().len()), (200, 1));
    for body in [
        "{\"appControlMode\":\"auto\"}",
        "[]",
        "[\"Auto\"]",
        "null",
        "0",
    ] {
        let (answer, asked) = send("POST", "/update/install", body);
        assert_eq!(
            error(&answer, 400),
            DeviceError::REST_INVALID_JSON_DATA,
            "{body}"
        );
        assert_eq!(asked, [], "{body}");
    }
}

#[test]
fn delete_and_restart_reach_the_manager() {
    let text = request("DELETE", &format!("/app/image/{UNKNOWN}"));
    let (answer, service) = exchange(Written::new(), &text);
    assert_eq!(json_of(&answer), json!({}));
    let component = id(UNKNOWN);
    assert_eq!(service.manager().asked(), [Request::Delete { component }]);

    for text in [
        request("POST", "/restart"),
        request_with("POST", "/restart", "text/plain", ""),
        request_with("POST", "/restart", "text/plain", "please"),
    ] {
        let (answer, service) = exchange(Written::new(), &text);
        assert_eq!(json_of(&answer), json!({"restartingSystem": true}));
        assert_eq!(service.manager().asked(), [Request::Restart]);
    }
}

#[test]
fn wrong_media_types_are_refused() {
    let stop = "{\"trigger\":\"stop\"}";
    let status = format!("/app/status/{KNOWN}");
    for (method, path, media, body) in [
        ("PATCH", status.as_str(), "text/plain", stop),
        ("POST", "/update/install", "application/octet-stream", "{}"),
        ("PUT", "/update/stage", "application/json", "{}"),
    ] {
        let (answer, service) = exchange(Written::new(), &request_with(method, path, media, body));
        assert_eq!(
            error(&answer, 415),
            crate::resource::WRONG_MEDIA_TYPE,
            "{path}"
        );
        assert_eq!(service.manager().asked(), [], "{path}");
    }
    let typeless =
        format!("PATCH {status} HTTP/1.1\r\nHost: x\r\nContent-Length: 18\r\n\r\n{stop}");
    assert_eq!(exchange(Written::new(), &typeless).0.status, 415);
    let right = request_with("PATCH", &status, "application/json; charset=utf-8", stop);
    assert_eq!(exchange(Written::new(), &right).0.status, 200);
}

#[test]
fn unknown_paths_answer_the_documented_code() {
    for path in [
        "/",
        "/statu",
        "/status/",
        "/Status",
        "//status",
        "/images/%2e%2e",
        "/app/status",
        "/nacre/",
        "/device/security_state",
        "/wifi/config/networks",
    ] {
        let answer = get(path);
        assert_eq!(error(&answer, 404).value(), 15_728_642, "{path}");
    }
    assert!(get("/wifi/scan").body.contains("does not provide"));
    assert_eq!(get("/status").status, 200);
}

#[test]
fn component_ids_that_cannot_be_read_are_refused() {
    for path in [
        "/app/status/",
        "/app/status/1234",
        "/app/quota/2f074b0f-d99d-4692-82d9-ef93a7d6463",
        "/app/quota/2f074b0f-d99d-4692-82d9-ef93a7d6463c0",
        "/app/quota/2f074b0fd99d469282d9ef93a7d6463c",
        "/app/status/../image",
        "/nacre/app/x/log",
        "/nacre/app//log",
        "/nacre/app/x/denials",
        "/nacre/app//denials",
        "/nacre/app/2f074b0f-d99d-4692-82d9-ef93a7d6463c/denial",
    ] {
        let code = DeviceError::REST_APP_CANNOT_PARSE_COMPONENT_ID;
        assert_eq!(error(&get(path), 400), code, "{path}");
    }
}

#[test]
fn other_methods_are_refused_with_the_ones_allowed() {
    let status = format!("/app/status/{KNOWN}");
    for (method, path, allow) in [
        ("POST", "/status", "Allow: GET"),
        ("GET", "/update/stage", "Allow: PUT"),
        ("GET", "/update/install", "Allow: POST"),
        ("GET", "/restart", "Allow: POST"),
        ("DELETE", status.as_str(), "Allow: GET, PATCH"),
        ("BREW", "/status", "Allow: GET"),
    ] {
        let (answer, service) = exchange(Written::new(), &request(method, path));
        assert_eq!(error(&answer, 405).value(), 15_728_641, "{method} {path}");
        assert!(answer.has(allow), "{answer:?}");
        assert_eq!(service.manager().asked(), []);
    }
    let (head, _) = exchange(Written::new(), &request("HEAD", "/status"));
    assert_eq!((head.status, head.body.as_str()), (405, ""));
}

#[test]
fn without_the_development_capability_only_open_resources_answer() {
    let locked = || Written {
        capabilities: vec![12],
        ..Written::new()
    };
    for path in [
        "/status",
        "/osversion",
        "/abi_versions",
        "/device/capabilities",
        "/nacre/device",
    ] {
        assert_eq!(
            exchange(locked(), &request("GET", path)).0.status,
            200,
            "{path}"
        );
    }
    let app = format!("/app/status/{KNOWN}");
    let image = format!("/app/image/{KNOWN}");
    for text in [
        request("GET", "/images"),
        request("GET", "/log"),
        request("GET", "/stats/memory/groups/applications"),
        request("GET", &app),
        request("DELETE", &image),
        request("POST", "/restart"),
        request("POST", "/update/install"),
        request("GET", &format!("/nacre/app/{KNOWN}")),
        request("GET", &format!("/nacre/app/{KNOWN}/log")),
        request("GET", &format!("/nacre/app/{KNOWN}/denials")),
        request_with("PUT", "/update/stage", "application/octet-stream", "image"),
        request_with("PATCH", &app, "application/json", "{\"trigger\":\"stop\"}"),
    ] {
        let (answer, service) = exchange(locked(), &text);
        assert_eq!(error(&answer, 403).value(), 1_048_596, "{text}");
        assert_eq!(service.manager().asked(), [], "{text}");
        assert_eq!(exchange(Written::new(), &text).0.status, 200, "{text}");
    }
}

#[test]
fn refusals_of_the_manager_keep_number_detail_and_kind() {
    for (kind, status) in [
        (RefusalKind::BadRequest, 400),
        (RefusalKind::Forbidden, 403),
        (RefusalKind::NotFound, 404),
        (RefusalKind::Conflict, 409),
        (RefusalKind::Internal, 500),
    ] {
        let code = DeviceError::IMAGE_UPDATE_IMAGE_INSTALL_FAILED;
        let mode = AppControlMode::Auto;
        let manager = Written::refusing(Request::Install { mode }, code, kind);
        let (answer, _) = exchange(manager, &request("POST", "/update/install"));
        assert_eq!(error(&answer, status), code);
        assert!(answer.body.contains("refused by the book"));
    }
}
