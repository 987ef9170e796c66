"""How every push looks: names and elements, as the pages of 接收普通消息 and 接收事件推送 and recordings have them.

Data and nothing else. A value's type is its layout: text stands in CDATA, a number bare, a dictionary is nested, a
list is an element that repeats. Every MsgId and MsgID is 0 here; a push gets its own.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Union

from ..wire.messages import EVENTS as KNOWN_EVENTS
from ..wire.messages import UNSUPPORTED

Value = Union[str, int, float, dict[str, Any], list[Any]]
Elements = dict[str, Value]


class Sample(NamedTuple):
    """One kind of push: MsgType or Event as written on the wire, its own elements in their order, and which of them a
    caller's words fill; a dot in such a name goes one level down."""

    name: str
    elements: Elements
    asks: tuple[str, ...] = ()


USER = "oTEST0001"
ACCOUNT = "gh_0123456789ab"
APPID = "wx0123456789abcdef"

# Media ids and links as long as real ones are, and of nobody's.
_MEDIA = "r17simulated0by0wxserve0AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AB"
_THUMB = "7HKsimulated0by0wxserve0AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_CD"
_PICTURE = "http://mmbiz.qpic.cn/mmbiz_jpg/simulatedByWxserve/0"
_ARTICLE = "http://mp.weixin.qq.com/s?__biz=MzA3&mid=1&idx=1#rd"
_MD5 = "1b5f7c23b5bf75682a53e7b6d163e185"
_TEMPLATE = "VRR0UEO9VJOLs0MHlU0OilqX6MVFDwH3_3gz3Oc0NIc"
_TICKET = "gQH47joAAAAAAAAAASxodHRwOi8vd2VpeGluLnFxLmNvbS9x"
_WHEN = 1_714_036_504
_MSGID: Elements = {"MsgId": 0}
_DEVICE: Elements = {"DeviceType": ACCOUNT, "DeviceID": "device-1"}

# Our name -> the message. MsgId stands where recordings have it: before a picture's MediaId, before a voice's text.
MESSAGES: dict[str, Sample] = {
    "text": Sample("text", {"Content": "你好", **_MSGID}, ("Content",)),
    "image": Sample("image", {"PicUrl": _PICTURE, **_MSGID, "MediaId": _MEDIA}, ("MediaId", "PicUrl")),
    "voice": Sample(
        "voice", {"MediaId": _MEDIA, "Format": "amr", **_MSGID, "Recognition": ""}, ("Recognition", "MediaId")
    ),
    "video": Sample("video", {"MediaId": _MEDIA, "ThumbMediaId": _THUMB, **_MSGID}, ("MediaId",)),
    "shortvideo": Sample("shortvideo", {"MediaId": _MEDIA, "ThumbMediaId": _THUMB, **_MSGID}, ("MediaId",)),
    "location": Sample(
        "location",
        {"Location_X": 23.134521, "Location_Y": 113.358803, "Scale": 20, "Label": "广州市海珠区", **_MSGID},
        ("Location_X", "Location_Y", "Label", "Scale"),
    ),
    "link": Sample(
        "link",
        {"Title": "公众平台官网链接", "Description": "说明", "Url": "https://example.com/?a=1&b=2", **_MSGID},
        ("Url", "Title", "Description"),
    ),
    "file": Sample(
        "file",
        {"Title": "a.pdf", "Description": "", "FileKey": "key", "FileMd5": _MD5, "FileTotalLen": 4096, **_MSGID},
        ("Title",),
    ),
    "miniprogrampage": Sample(
        "miniprogrampage",
        {**_MSGID, "Title": "小程序", "AppId": APPID, "PagePath": "pages/index", "ThumbUrl": _PICTURE,
         "ThumbMediaId": _THUMB},
        ("PagePath", "Title"),
    ),
    "device_text": Sample(
        "device_text", {**_DEVICE, "SessionID": 9, "Content": "SGVsbG8=", **_MSGID, "OpenID": USER}, ("Content",)
    ),
    "device_event": Sample(
        "device_event", {**_DEVICE, "OpType": 0, "SessionID": 9, "Content": "SGVsbG8=", "OpenID": USER}
    ),
    "device_status": Sample("device_status", {**_DEVICE, "OpType": 1, "OpenID": USER, "DeviceStatus": 1}),
    "hardware": Sample("hardware", _MSGID),
    "unsupported": Sample("text", {"Content": f"{UNSUPPORTED[0]}，暂无法显示】", **_MSGID}),
}  # fmt: skip

_KEY: Elements = {"EventKey": "MENU_1"}
_SCANNED: Elements = {**_KEY, "ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "https://example.com/42"}}
_PICTURES: Elements = {**_KEY, "SendPicsInfo": {"Count": 1, "PicList": {"item": {"PicMd5Sum": _MD5}}}}
# With more than one picture the platform repeats the wrapper.
_TWO_PICTURES: Elements = {**_KEY, "SendPicsInfo": {"Count": 2, "PicList": [{"item": {"PicMd5Sum": _MD5}}] * 2}}
_PLACE: Elements = {
    **_KEY,
    "SendLocationInfo": {
        "Location_X": "23.134521", "Location_Y": "113.358803", "Scale": "15", "Label": "广州市海珠区客村艺苑路",
        "Poiname": "",
    },
}  # fmt: skip

_MENU: dict[str, Sample] = {
    "click": Sample("CLICK", _KEY, ("EventKey",)),
    "view": Sample("VIEW", {"EventKey": "https://example.com/", "MenuId": 420_000_001}, ("EventKey",)),
    "view_miniprogram": Sample(
        "view_miniprogram", {"EventKey": "pages/index", "MenuId": 420_000_001}, ("EventKey",)
    ),
    "scancode_push": Sample("scancode_push", _SCANNED, ("EventKey", "ScanCodeInfo.ScanResult")),
    "scancode_waitmsg": Sample("scancode_waitmsg", _SCANNED, ("EventKey", "ScanCodeInfo.ScanResult")),
    "pic_sysphoto": Sample("pic_sysphoto", _PICTURES, ("EventKey",)),
    "pic_photo_or_album": Sample("pic_photo_or_album", _PICTURES, ("EventKey",)),
    "pic_weixin": Sample("pic_weixin", _TWO_PICTURES, ("EventKey",)),
    "location_select": Sample(
        "location_select",
        _PLACE,
        ("EventKey", *(f"SendLocationInfo.{name}" for name in ("Location_X", "Location_Y", "Label", "Scale"))),
    ),
}  # fmt: skip

_EXPIRES: Elements = {"ExpiredTime": _WHEN}
_FAILED: Elements = {"FailTime": _WHEN, "FailReason": "资料不全"}
_PERSON: Elements = {"OpenID": USER, "UnionID": "oU_simulated", "AppID": APPID}
_KF: Elements = {"KfAccount": "kf2001@shop"}

_ACCOUNT: dict[str, Sample] = {
    # EventKey is there and empty where no QR code was scanned.
    "subscribe": Sample("subscribe", {"EventKey": ""}),
    "unsubscribe": Sample("unsubscribe", {"EventKey": ""}),
    "scan": Sample("SCAN", {"EventKey": "42", "Ticket": _TICKET}, ("EventKey",)),
    "location_event": Sample(
        "LOCATION",
        {"Latitude": 23.137466, "Longitude": 113.352425, "Precision": 119.385040},
        ("Latitude", "Longitude", "Precision"),
    ),
    "kf_create_session": Sample("kf_create_session", _KF, ("KfAccount",)),
    "kf_close_session": Sample("kf_close_session", _KF, ("KfAccount",)),
    "kf_switch_session": Sample(
        "kf_switch_session",
        {"FromKfAccount": "kf2001@shop", "ToKfAccount": "kf2002@shop"},
        ("FromKfAccount", "ToKfAccount"),
    ),
    "user_info_modified": Sample("user_info_modified", _PERSON),
    "user_authorization_revoke": Sample("user_authorization_revoke", {**_PERSON, "RevokeInfo": "205"}, ("RevokeInfo",)),
    "user_authorization_cancellation": Sample("user_authorization_cancellation", _PERSON),
    "qualification_verify_success": Sample("qualification_verify_success", _EXPIRES),
    "qualification_verify_fail": Sample("qualification_verify_fail", _FAILED),
    "naming_verify_success": Sample("naming_verify_success", _EXPIRES),
    "naming_verify_fail": Sample("naming_verify_fail", _FAILED),
    "annual_renew": Sample("annual_renew", _EXPIRES),
    "verify_expired": Sample("verify_expired", _EXPIRES),
    "wx_verify_refill": Sample("wx_verify_refill", {"RefillTime": _WHEN, "RefillReason": "请补充材料"}),
}

_COPYRIGHT: Elements = {
    "ArticleIdx": 1, "UserDeclareState": 0, "AuditState": 2, "OriginalArticleUrl": _ARTICLE, "OriginalArticleType": 1,
    "CanReprint": 1, "NeedReplaceContent": 1, "NeedShowReprintSource": 1,
}  # fmt: skip

# What came of something that was sent.
_RESULTS: dict[str, Sample] = {
    "templatesendjobfinish": Sample("TEMPLATESENDJOBFINISH", {"MsgID": 0, "Status": "success"}, ("Status",)),
    "masssendjobfinish": Sample(
        "MASSSENDJOBFINISH",
        {"MsgID": 0, "Status": "send success", "TotalCount": 100, "FilterCount": 80, "SentCount": 75, "ErrorCount": 5,
         "CopyrightCheckResult": {"Count": 2, "ResultList": {"item": [_COPYRIGHT, {**_COPYRIGHT, "ArticleIdx": 2}]},
                                  "CheckState": 2},
         "ArticleUrlResult": {"Count": 1, "ResultList": {"item": {"ArticleIdx": 1, "ArticleUrl": _ARTICLE}}}},
        ("Status",),
    ),
    "publishjobfinish": Sample(
        "PUBLISHJOBFINISH",
        {"PublishEventInfo": {"publish_id": 2_247_503_051, "publish_status": 0, "article_id": "b5O2OUs25HBxRceL7",
                              "article_detail": {"count": 1, "item": {"idx": 1, "article_url": _ARTICLE}}}},
    ),
    "subscribe_msg_popup_event": Sample(
        "subscribe_msg_popup_event",
        {"SubscribeMsgPopupEvent": {"List": [
            {"TemplateId": _TEMPLATE, "SubscribeStatusString": "accept", "PopupScene": "2"},
            {"TemplateId": _TEMPLATE[::-1], "SubscribeStatusString": "reject", "PopupScene": "2"},
        ]}},
    ),
    "subscribe_msg_change_event": Sample(
        "subscribe_msg_change_event",
        {"SubscribeMsgChangeEvent": {"List": {"TemplateId": _TEMPLATE, "SubscribeStatusString": "reject"}}},
    ),
    "subscribe_msg_sent_event": Sample(
        "subscribe_msg_sent_event",
        {"SubscribeMsgSentEvent": {"List": {"TemplateId": _TEMPLATE, "MsgID": "1700827132819554304",
                                            "ErrorCode": "0", "ErrorStatus": "success"}}},
    ),
    "weapp_audit_success": Sample("weapp_audit_success", {"SuccTime": _WHEN}),
    "weapp_audit_fail": Sample(
        "weapp_audit_fail", {"Reason": "1:账号信息不符合规范", "FailTime": _WHEN, "ScreenShot": "a|b"}
    ),
    "weapp_audit_delay": Sample("weapp_audit_delay", {"Reason": "审核繁忙", "DelayTime": _WHEN}),
    "wxa_media_check": Sample(
        "wxa_media_check",
        {"isrisky": 0, "extra_info_json": "", "appid": APPID, "trace_id": "967e945cd8a3e458", "status_code": 0},
    ),
    "debug_demo": Sample("debug_demo", {"debug_str": "hello world"}, ("debug_str",)),
}  # fmt: skip

_CARD: Elements = {"CardId": "p1Pj9jr90_SQRaVqYI239Ka1erkI"}
_OWNED: Elements = {**_CARD, "UserCardCode": "12312312"}
_PRODUCT: Elements = {"KeyStandard": "ean13", "KeyStr": "6901481811083"}
_BEACON: Elements = {"Uuid": "FDA50693-A4E2-4FB1-AFCF-C6EB07647825", "Major": 10, "Minor": 7, "Distance": 0.057}

# Cards, shops, products, places and invoices: the elements that their pages list, by the event's name.
_SHOPS: dict[str, Elements] = {
    "card_pass_check": _CARD,
    "card_not_pass_check": {**_CARD, "RefuseReason": "内容不符"},
    "user_get_card": {
        **_OWNED, "IsGiveByFriend": 1, "FriendUserName": "oFRIEND", "OuterId": 1, "OldUserCardCode": "0",
        "OuterStr": "12b", "IsRestoreMemberCard": 0, "IsRecommendByFriend": 0, "UnionId": "oU_simulated",
    },
    "user_gifting_card": {**_OWNED, "IsReturnBack": 0, "FriendUserName": "oFRIEND", "IsChatRoom": 0},
    "user_del_card": _OWNED,
    "user_enter_session_from_card": _OWNED,
    "submit_membercard_user_info": _OWNED,
    "user_consume_card": {
        **_OWNED, "ConsumeSource": "FROM_API", "LocationName": "门店", "StaffOpenId": "oSTAFF", "VerifyCode": "8",
        "RemarkAmount": "0", "OuterStr": "12b",
    },
    "user_pay_from_pay_cell": {
        **_OWNED, "TransId": "10022403432015000000000", "LocationId": 291_710_000, "Fee": 10_000, "OriginalFee": 10_000,
    },
    "user_view_card": {**_OWNED, "OuterStr": "12b"},
    "update_member_card": {**_OWNED, "ModifyBonus": 3, "ModifyBalance": 0},
    "card_sku_remind": {**_CARD, "Detail": "the card's quantity is equal to 0"},
    "card_pay_order": {
        "OrderId": "404091456", "Status": "ORDER_STATUS_FINANCE_SUCC", "CreateOrderTime": _WHEN, "PayFinishTime": _WHEN,
        "Desc": "", "FreeCoinCount": "200", "PayCoinCount": "0", "RefundFreeCoinCount": "0",
        "RefundPayCoinCount": "0", "OrderType": "ORDER_TYPE_SYS_ADD", "Memo": "开通账户奖励", "ReceiptInfo": "",
    },
    "poi_check_notify": {"UniqId": "123adb", "PoiId": "123123", "Result": "fail", "Msg": "资料不全"},
    "WifiConnected": {
        "ConnectTime": 0, "ExpireTime": 0, "VendorId": "3001224419", "PlaceId": "1234", "DeviceNo": "00:1f:7a:ad:5c:a8",
    },
    "ShakearoundUserShake": {
        "ChosenBeacon": _BEACON, "AroundBeacons": {"AroundBeacon": [{**_BEACON, "Minor": 8}, {**_BEACON, "Minor": 9}]},
    },
    "merchant_order": {"OrderId": "1", "OrderStatus": 2, "ProductId": "p1", "SkuInfo": "10001:1000012"},
    "user_scan_product": {
        **_PRODUCT, "Country": "中国", "Province": "广东", "City": "广州", "Sex": 1, "Scene": 2, "ExtInfo": "123",
    },
    "user_scan_product_enter_session": {**_PRODUCT, "ExtInfo": "123"},
    "user_scan_product_async": {**_PRODUCT, "ExtInfo": "123", "RegionCode": "440105"},
    "user_scan_product_verify_action": {**_PRODUCT, "ExtInfo": "", "Result": "verify_not_pass", "ReasonMsg": "缺图"},
    "user_authorize_invoice": {"SuccOrderId": "120293", "FailOrderId": "", "AuthorizeAppId": APPID, "Source": "web"},
    "update_invoice_status": {"Status": "INVOICE_REIMBURSE_INIT", **_CARD, "Code": "186921658591"},
    "submit_invoice_title": {
        "title": "某某公司", "phone": "020-12345678", "tax_no": "91440101", "addr": "广州", "bank_type": "银行",
        "bank_no": "6222", "attach": "1", "title_type": "InvoiceUserTitleBusinessType",
    },
    "cloud_invoice_invoiceresult_event": {"fpqqlsh": "20160423", "nsrsbh": "91440101"},
    "guide_qrcode_scan_event": {"GuideScanEvent": {
        "qrcode_guide_account": "guide", "qrcode_guide_openid": "oGUIDE", "openid": USER, "action": 1,
        "qrcode_info": "",
    }},
}  # fmt: skip

#: Our name -> the event. Of some nobody has published an element; those carry none here.
EVENTS: dict[str, Sample] = {
    **{name: Sample(name, {}) for name in KNOWN_EVENTS},
    **_ACCOUNT,
    **_MENU,
    **_RESULTS,
    **{name.lower(): Sample(name, elements) for name, elements in _SHOPS.items()},
}
