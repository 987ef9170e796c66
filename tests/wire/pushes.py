"""Every message and event of 接收普通消息, 接收事件推送 and the pages behind them: what it is called, what it carries.

Written from the pages and not from the program, which is tested against it.
"""

from __future__ import annotations

# Our name for it -> its MsgType, and the elements that only it has. A dot goes one level down.
MESSAGES = {
    "text": ("text", "Content MsgId bizmsgmenuid MsgDataId Idx"),
    "image": ("image", "PicUrl MsgId MediaId"),
    "voice": ("voice", "MediaId Format MsgId MediaId16K Recognition"),
    "video": ("video", "MediaId ThumbMediaId MsgId"),
    "shortvideo": ("shortvideo", "MediaId ThumbMediaId MsgId"),
    "location": ("location", "Location_X Location_Y Scale Label MsgId"),
    "link": ("link", "Title Description Url MsgId"),
    "file": ("file", "Title Description FileKey FileMd5 FileTotalLen MsgId"),
    "miniprogrampage": ("miniprogrampage", "Title AppId PagePath ThumbUrl ThumbMediaId MsgId"),
    "device_text": ("device_text", "DeviceType DeviceID SessionID Content OpenID MsgId"),
    "device_event": ("device_event", "DeviceType DeviceID SessionID Content OpenID OpType"),
    "device_status": ("device_status", "DeviceType DeviceID OpenID OpType DeviceStatus"),
    "hardware": ("hardware", "MsgId"),
}

_CARD = "CardId UserCardCode"

# Our name for it -> Event as the platform writes it, and the elements that only it has.
EVENTS = {
    "subscribe": ("subscribe", "EventKey Ticket"),
    "unsubscribe": ("unsubscribe", "EventKey"),
    "scan": ("SCAN", "EventKey Ticket"),
    "location_event": ("LOCATION", "Latitude Longitude Precision"),
    "click": ("CLICK", "EventKey"),
    "view": ("VIEW", "EventKey MenuId"),
    "view_miniprogram": ("view_miniprogram", "EventKey MenuId"),
    "scancode_push": ("scancode_push", "EventKey ScanCodeInfo.ScanType ScanCodeInfo.ScanResult"),
    "scancode_waitmsg": ("scancode_waitmsg", "EventKey ScanCodeInfo.ScanType ScanCodeInfo.ScanResult"),
    "pic_sysphoto": ("pic_sysphoto", "EventKey SendPicsInfo.Count SendPicsInfo.PicList.item.PicMd5Sum"),
    "pic_photo_or_album": ("pic_photo_or_album", "EventKey SendPicsInfo.Count SendPicsInfo.PicList.item.PicMd5Sum"),
    "pic_weixin": ("pic_weixin", "EventKey SendPicsInfo.Count SendPicsInfo.PicList.item.PicMd5Sum"),
    "location_select": (
        "location_select",
        "EventKey SendLocationInfo.Location_X SendLocationInfo.Location_Y SendLocationInfo.Scale "
        "SendLocationInfo.Label SendLocationInfo.Poiname",
    ),
    "templatesendjobfinish": ("TEMPLATESENDJOBFINISH", "MsgID Status"),
    "masssendjobfinish": (
        "MASSSENDJOBFINISH",
        "MsgID Status TotalCount FilterCount SentCount ErrorCount "
        "CopyrightCheckResult.Count CopyrightCheckResult.ResultList.item.ArticleIdx "
        "CopyrightCheckResult.ResultList.item.UserDeclareState CopyrightCheckResult.ResultList.item.AuditState "
        "CopyrightCheckResult.ResultList.item.OriginalArticleUrl "
        "CopyrightCheckResult.ResultList.item.OriginalArticleType CopyrightCheckResult.ResultList.item.CanReprint "
        "CopyrightCheckResult.ResultList.item.NeedReplaceContent "
        "CopyrightCheckResult.ResultList.item.NeedShowReprintSource CopyrightCheckResult.CheckState "
        "ArticleUrlResult.Count ArticleUrlResult.ResultList.item.ArticleIdx "
        "ArticleUrlResult.ResultList.item.ArticleUrl",
    ),
    "publishjobfinish": (
        "PUBLISHJOBFINISH",
        "PublishEventInfo.publish_id PublishEventInfo.publish_status PublishEventInfo.article_id "
        "PublishEventInfo.article_detail.count PublishEventInfo.article_detail.item.idx "
        "PublishEventInfo.article_detail.item.article_url",
    ),
    "subscribe_msg_popup_event": (
        "subscribe_msg_popup_event",
        "SubscribeMsgPopupEvent.List.TemplateId SubscribeMsgPopupEvent.List.SubscribeStatusString "
        "SubscribeMsgPopupEvent.List.PopupScene",
    ),
    "subscribe_msg_change_event": (
        "subscribe_msg_change_event",
        "SubscribeMsgChangeEvent.List.TemplateId SubscribeMsgChangeEvent.List.SubscribeStatusString",
    ),
    "subscribe_msg_sent_event": (
        "subscribe_msg_sent_event",
        "SubscribeMsgSentEvent.List.TemplateId SubscribeMsgSentEvent.List.MsgID "
        "SubscribeMsgSentEvent.List.ErrorCode SubscribeMsgSentEvent.List.ErrorStatus",
    ),
    "kf_create_session": ("kf_create_session", "KfAccount"),
    "kf_close_session": ("kf_close_session", "KfAccount"),
    "kf_switch_session": ("kf_switch_session", "FromKfAccount ToKfAccount"),
    "user_info_modified": ("user_info_modified", "OpenID UnionID AppID"),
    "user_authorization_revoke": ("user_authorization_revoke", "OpenID UnionID AppID RevokeInfo"),
    "user_authorization_cancellation": ("user_authorization_cancellation", "OpenID UnionID AppID"),
    "qualification_verify_success": ("qualification_verify_success", "ExpiredTime"),
    "qualification_verify_fail": ("qualification_verify_fail", "FailTime FailReason"),
    "naming_verify_success": ("naming_verify_success", "ExpiredTime"),
    "naming_verify_fail": ("naming_verify_fail", "FailTime FailReason"),
    "annual_renew": ("annual_renew", "ExpiredTime"),
    "verify_expired": ("verify_expired", "ExpiredTime"),
    "wx_verify_pay_succ": ("wx_verify_pay_succ", ""),
    "wx_verify_dispatch": ("wx_verify_dispatch", ""),
    "wx_verify_refill": ("wx_verify_refill", "RefillTime RefillReason"),
    "wx_verify_fail": ("wx_verify_fail", ""),
    "card_pass_check": ("card_pass_check", "CardId"),
    "card_not_pass_check": ("card_not_pass_check", "CardId RefuseReason"),
    "user_get_card": (
        "user_get_card",
        f"{_CARD} IsGiveByFriend FriendUserName OldUserCardCode OuterId OuterStr IsRestoreMemberCard "
        "IsRecommendByFriend UnionId",
    ),
    "user_gifting_card": ("user_gifting_card", f"{_CARD} IsReturnBack FriendUserName IsChatRoom"),
    "user_del_card": ("user_del_card", _CARD),
    "user_enter_session_from_card": ("user_enter_session_from_card", _CARD),
    "submit_membercard_user_info": ("submit_membercard_user_info", _CARD),
    "user_consume_card": (
        "user_consume_card",
        f"{_CARD} ConsumeSource LocationName StaffOpenId VerifyCode RemarkAmount OuterStr",
    ),
    "user_pay_from_pay_cell": ("user_pay_from_pay_cell", f"{_CARD} TransId LocationId Fee OriginalFee"),
    "user_view_card": ("user_view_card", f"{_CARD} OuterStr"),
    "update_member_card": ("update_member_card", f"{_CARD} ModifyBonus ModifyBalance"),
    "card_sku_remind": ("card_sku_remind", "CardId Detail"),
    "card_pay_order": (
        "card_pay_order",
        "OrderId Status CreateOrderTime PayFinishTime Desc FreeCoinCount PayCoinCount RefundFreeCoinCount "
        "RefundPayCoinCount OrderType Memo ReceiptInfo",
    ),
    "giftcard_pay_done": ("giftcard_pay_done", ""),
    "giftcard_send_to_friend": ("giftcard_send_to_friend", ""),
    "giftcard_user_accept": ("giftcard_user_accept", ""),
    "poi_check_notify": ("poi_check_notify", "UniqId PoiId Result Msg"),
    "wificonnected": ("WifiConnected", "ConnectTime ExpireTime VendorId PlaceId DeviceNo"),
    "shakearoundusershake": (
        "ShakearoundUserShake",
        "ChosenBeacon.Uuid ChosenBeacon.Major ChosenBeacon.Minor ChosenBeacon.Distance "
        "AroundBeacons.AroundBeacon.Uuid AroundBeacons.AroundBeacon.Major AroundBeacons.AroundBeacon.Minor "
        "AroundBeacons.AroundBeacon.Distance",
    ),
    "merchant_order": ("merchant_order", "OrderId OrderStatus ProductId SkuInfo"),
    "user_scan_product": ("user_scan_product", "KeyStandard KeyStr Country Province City Sex Scene ExtInfo"),
    "user_scan_product_enter_session": ("user_scan_product_enter_session", "KeyStandard KeyStr ExtInfo"),
    "user_scan_product_async": ("user_scan_product_async", "KeyStandard KeyStr ExtInfo RegionCode"),
    "user_scan_product_verify_action": (
        "user_scan_product_verify_action",
        "KeyStandard KeyStr ExtInfo Result ReasonMsg",
    ),
    "user_authorize_invoice": ("user_authorize_invoice", "SuccOrderId FailOrderId AuthorizeAppId Source"),
    "update_invoice_status": ("update_invoice_status", "Status CardId Code"),
    "submit_invoice_title": (
        "submit_invoice_title",
        "title phone tax_no addr bank_type bank_no attach title_type",
    ),
    "cloud_invoice_invoiceresult_event": ("cloud_invoice_invoiceresult_event", "fpqqlsh nsrsbh"),
    "guide_qrcode_scan_event": (
        "guide_qrcode_scan_event",
        "GuideScanEvent.qrcode_guide_account GuideScanEvent.qrcode_guide_openid GuideScanEvent.openid "
        "GuideScanEvent.action GuideScanEvent.qrcode_info",
    ),
    "guide_invite_result_event": ("guide_invite_result_event", ""),
    "add_guide_buyer_relation_event": ("add_guide_buyer_relation_event", ""),
    "weapp_audit_success": ("weapp_audit_success", "SuccTime"),
    "weapp_audit_fail": ("weapp_audit_fail", "Reason FailTime ScreenShot"),
    "weapp_audit_delay": ("weapp_audit_delay", "Reason DelayTime"),
    "wxa_media_check": ("wxa_media_check", "isrisky extra_info_json trace_id status_code"),
    "debug_demo": ("debug_demo", "debug_str"),
}
